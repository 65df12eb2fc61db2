package language

import (
	"io/fs"
	"strings"
)

// attached is an attached file and the line of its marker.
type attached struct {
	File
	line int
}

// splitFiles takes the attached files off the end of a text. A file begins
// with a line "-- NAME --", and ends before the next one.
func splitFiles(source string) (text string, files []attached) {
	at, n, from := 0, 0, -1
	for line := range strings.Lines(source) {
		n++
		name, ok := marker(line)
		if ok && from >= 0 {
			files[len(files)-1].Data = content(source[from:at])
		} else if ok {
			text = source[:at]
		}
		at += len(line)
		if ok {
			files = append(files, attached{File{Name: name}, n})
			from = at
		}
	}
	if from < 0 {
		return source, nil
	}
	files[len(files)-1].Data = content(source[from:])
	return text, files
}

// marker reads "-- NAME --".
func marker(line string) (name string, ok bool) {
	line = strings.TrimRight(line, "\r\n")
	if name, ok = strings.CutPrefix(line, "-- "); !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, " --")
	name = strings.TrimSpace(name)
	return name, ok && name != ""
}

// content is the data of an attached file: its last line has an end.
func content(text string) []byte {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return []byte(text)
}

// wrongPath tells whether a name could leave the folder that it is laid into,
// on any system.
func wrongPath(name string) bool {
	return !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00")
}
