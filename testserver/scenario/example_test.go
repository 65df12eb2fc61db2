package scenario_test

import (
	"fmt"

	"github.com/peerlab/peerlab/testserver/scenario"
)

func Example() {
	s, err := scenario.Parse("hello.cmd", []byte(`
alice init
bob init
alice testfilter messagesView 1 <bob> hello
bob msg hello
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, st := range s.Statements {
		fmt.Println(st.Pos.Line, st)
	}
	// Output:
	// 2 alice init
	// 3 bob init
	// 4 alice testfilter messagesView 1 <bob> hello
	// 5 await converged within 10s
	// 5 bob msg hello
}
