# A digest, with assembly inside.
# Run it with: peer NAME --dev --script scripts/explore/blake2b.cmd

import golang.org/x/crypto/blake2b
#> ^blake2b is golang.org/x/crypto/blake2b, of golang.org/x/crypto v
go fmt.Printf("%x\n", blake2b.Sum256([]byte("abc")))
#> ^bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319$
go h, err := blake2b.New(8, []byte("a key")); err
#> ^<nil> :: error$
go h.Write([]byte(peer.Name())); h.Size() == 8 && len(h.Sum(nil)) == 8
#> ^true :: bool$
