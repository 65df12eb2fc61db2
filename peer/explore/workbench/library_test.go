package workbench_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTableOfALibrary uses of a library at first what needs none of its tables,
// and then a table: the first line has brought it along all the same. The linker
// leaves out what gives large maps their values, where it may.
func TestTableOfALibrary(t *testing.T) {
	t.Parallel()
	peer, env, dir := built(t), environment(t), t.TempDir()
	var source strings.Builder
	source.WriteString("package tables\n\nfunc One() int { return 1 }\n\nfunc Of(k string) int { return table[k] }\n\nvar table = map[string]int{\n")
	for i := range 100 {
		fmt.Fprintf(&source, "\t\"k%d\": %d,\n", i, i)
	}
	source.WriteString("}\n")
	for name, text := range map[string]string{"go.mod": "module example.com/tables\n\ngo 1.24\n", "tables.go": source.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := run(t, env, peer, "alice", "--dev", "-c", "import "+dir,
		"-c", "go func() int { return tables.One() }() == 1", "-c", `go func() int { return tables.Of("k42") }() == 42`)
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
