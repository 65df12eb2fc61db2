package fast

import (
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/mirror"
)

// untyped is a constant of the table, without a type; text is exact.
func untyped(kind types.BasicKind, text string) mirror.Const {
	value := exact(text)
	if kind == types.UntypedFloat {
		value = constant.ToFloat(value) // a whole number would be bounded as integers are
	}
	return mirror.Const{Kind: kind, Value: value}
}

// typed is a constant of the table that has a type.
func typed(t reflect.Type, text string) mirror.Const {
	return mirror.Const{Type: t, Value: exact(text)}
}

// exact reads what constant.Value.ExactString wrote.
func exact(text string) constant.Value {
	if over, under, ok := strings.Cut(text, "/"); ok && text[0] != '"' {
		return constant.BinaryOp(exact(over), token.QUO, exact(under))
	}
	if minus, ok := strings.CutPrefix(text, "-"); ok {
		return constant.UnaryOp(token.SUB, exact(minus), 0)
	}
	switch {
	case text == "true", text == "false":
		return constant.MakeBool(text == "true")
	case text[0] == '"':
		return constant.MakeFromLiteral(text, token.STRING, 0)
	case strings.ContainsAny(text, "p."):
		return constant.MakeFromLiteral(text, token.FLOAT, 0)
	}
	return constant.MakeFromLiteral(text, token.INT, 0)
}
