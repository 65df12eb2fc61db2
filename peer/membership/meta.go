package membership

import (
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"

	"github.com/google/uuid"
)

// meta is what a peer says of itself in memberlist's metadata: magic, format
// version, flags, 16 bytes of id, boot as an unsigned varint, the name. A
// node without it, or with somebody else's, is foreign.
type meta struct {
	ID      uuid.UUID
	Boot    int
	Name    string
	Leaving bool // it is about to leave in order
}

const (
	metaMagic   = 'P'
	metaVersion = 1
	flagLeaving = 1 << 0
	metaFixed   = 3 + 16 // magic, version, flags, id
)

var errMeta = errors.New("no metadata of a peer")

// namePattern is what a peer may be called.
var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// nodePattern is the form of what nodeName makes.
var nodePattern = regexp.MustCompile(`^([a-z][a-z0-9_-]{0,31})~([0-9]{1,10})\.[0-9a-f]{6}$`)

// ValidName tells whether a peer may have this name, as far as its form goes:
// 1 to 32 of a-z, 0-9, "_" and "-", a letter first.
func ValidName(name string) bool { return namePattern.MatchString(name) }

func (m meta) encode() []byte {
	b := make([]byte, 0, metaFixed+binary.MaxVarintLen64+len(m.Name))
	var flags byte
	if m.Leaving {
		flags |= flagLeaving
	}
	b = append(b, metaMagic, metaVersion, flags)
	b = append(b, m.ID[:]...)
	b = binary.AppendUvarint(b, uint64(m.Boot))
	return append(b, m.Name...)
}

func decodeMeta(b []byte) (meta, error) {
	if len(b) < metaFixed || b[0] != metaMagic {
		return meta{}, errMeta
	}
	if b[1] != metaVersion {
		return meta{}, fmt.Errorf("%w: version %d, this program speaks %d", errMeta, b[1], metaVersion)
	}
	m := meta{Leaving: b[2]&flagLeaving != 0, ID: uuid.UUID(b[3:metaFixed])}
	boot, n := binary.Uvarint(b[metaFixed:])
	if n <= 0 || boot == 0 || boot > maxBoot {
		return meta{}, errMeta
	}
	m.Boot = int(boot)
	m.Name = string(b[metaFixed+n:])
	if !ValidName(m.Name) {
		return meta{}, errMeta
	}
	return m, nil
}

const maxBoot = 1<<31 - 1

// nodeName is the name that memberlist knows this boot by. It is new at each
// start, because memberlist refuses a known name at a new address for up to
// two minutes; and it holds a part of the id, because two peers that claim
// one name must not fight over one entry there.
func (m meta) nodeName() string {
	return fmt.Sprintf("%s~%d.%x", m.Name, m.Boot, m.ID[:3])
}
