// Package identity says who a peer is over all its starts: an Ed25519 key
// made once in its data directory, an id derived from it, and the count of
// its starts.
//
// What it finds damaged it refuses with the file's path, and never
// overwrites: a new key would be another peer under an old name.
package identity

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/peerlab/peerlab/internal/files"
)

// The files of an identity.
const (
	keyFile  = "key.pem"
	bootFile = "boot"
	lockFile = "peer.lock"
)

// ErrCorrupt is matched when a file of the identity is damaged.
var ErrCorrupt = errors.New("damaged")

// InUseError says that another process runs on the data directory.
type InUseError struct {
	Dir string
	PID string // what the holder wrote; may be empty
}

// Error names the directory, the holder and what to do.
func (e *InUseError) Error() string {
	who := "another process"
	if e.PID != "" {
		who = "process " + e.PID
	}
	return fmt.Sprintf("%s is in use by %s: choose another name or --data, or stop it", e.Dir, who)
}

// Identity is one boot of one peer. Close releases its data directory.
type Identity struct {
	Key  ed25519.PrivateKey
	ID   uuid.UUID // version 8, of the SHA-256 of the public key
	Boot int       // the number of this start, from 1

	data files.FS // nil for an identity that was not opened
	last int      // the number of the last start, those of Next included
	lock io.Closer
}

// Open locks the data directory, reads the key or makes one, and counts one
// more start. pid is told to whoever tries to open the same directory. random
// is where a new key comes from; nil is crypto/rand.
func Open(data files.FS, pid int, random io.Reader) (*Identity, error) {
	lock, err := data.Lock(lockFile, strconv.Itoa(pid))
	if errors.Is(err, files.ErrLocked) {
		holder, _ := data.LockNote(lockFile)
		return nil, &InUseError{Dir: data.Path("."), PID: strings.TrimSpace(holder)}
	}
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	id := &Identity{data: data, lock: lock}
	if err := id.load(data, random); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return id, nil
}

func (id *Identity) load(data files.FS, random io.Reader) error {
	var err error
	if id.Key, err = loadKey(data, random); err != nil {
		return err
	}
	id.ID = IDOf(id.Key.Public().(ed25519.PublicKey))
	id.Boot, err = countBoot(data)
	id.last = id.Boot
	return err
}

// Next counts one more start without the end of the process: that of a member
// which is made anew, and which others would not believe under its old number.
// Boot stays what it was: it is the number of the process. The first call
// returns a higher number than Boot, each further one a higher one still. Only
// one goroutine may call it.
func (id *Identity) Next() (boot int, err error) {
	if id.data == nil {
		id.last = max(id.last, id.Boot) + 1
		return id.last, nil
	}
	boot, err = countBoot(id.data)
	if err == nil {
		id.last = boot
	}
	return boot, err
}

// Close releases the data directory.
func (id *Identity) Close() error { return id.lock.Close() }

// IDOf derives a peer's id from its public key.
func IDOf(key ed25519.PublicKey) uuid.UUID {
	sum := sha256.Sum256(key)
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80 // version 8
	id[8] = id[8]&0x3f | 0x80 // the RFC's variant
	return id
}

const pemType = "PRIVATE KEY" // PKCS #8

func loadKey(data files.FS, random io.Reader) (ed25519.PrivateKey, error) {
	raw, err := data.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(data, random)
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	damaged := fmt.Errorf("key %s is %w: restore it, or remove it to become a new peer", data.Path(keyFile), ErrCorrupt)
	block, rest := pem.Decode(raw)
	if block == nil || block.Type != pemType || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, damaged
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, damaged
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, damaged
	}
	return key, nil
}

func makeKey(data files.FS, random io.Reader) (ed25519.PrivateKey, error) {
	if random == nil {
		random = rand.Reader
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	key := ed25519.NewKeyFromSeed(seed)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})
	if err := data.WriteFile(keyFile, out, 0o600); err != nil {
		return nil, fmt.Errorf("save key: %w", err)
	}
	return key, nil
}

// maxBoot is beyond what anybody counts to, and fits every format that has a
// boot in it.
const maxBoot = 1 << 30

// countBoot counts one more start.
func countBoot(data files.FS) (int, error) {
	raw, err := data.ReadFile(bootFile)
	n := 0
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return 0, fmt.Errorf("read boot count: %w", err)
	default:
		if n, err = strconv.Atoi(strings.TrimSpace(string(raw))); err != nil || n < 0 || n >= maxBoot {
			return 0, fmt.Errorf("boot count %s is %w: write the number of starts so far into it", data.Path(bootFile), ErrCorrupt)
		}
	}
	n++
	if err := data.WriteFile(bootFile, []byte(strconv.Itoa(n)+"\n"), 0o600); err != nil {
		return 0, fmt.Errorf("save boot count: %w", err)
	}
	return n, nil
}

// Copy makes another data directory that of the same peer: it gets the key
// and the count of starts, and nothing else of what the first one has. What
// is not there yet is not copied. No identity may be open in either.
func Copy(to, from files.FS) error {
	for _, name := range []string{keyFile, bootFile} {
		raw, err := from.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = to.WriteFile(name, raw, 0o600)
		}
		if err != nil {
			return fmt.Errorf("copy identity: %w", err)
		}
	}
	return nil
}
