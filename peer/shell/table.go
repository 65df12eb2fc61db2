package shell

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/peerlab/peerlab/repl"
)

// printJSON prints the answer to a query for programs.
func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printTable prints rows below a head, in columns. Cells may come from
// strangers, so they are neutralised, and a tab does not begin a new column.
func printTable(out io.Writer, head []string, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(w, "\t") // to memory; Flush reports
			}
			fmt.Fprint(w, strings.ReplaceAll(repl.Neutral(cell), "\t", `\t`))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
