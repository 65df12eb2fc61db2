package sample

import "testing"

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		seen   []int
		want   int
		strict bool
		ok     bool
		err    error
	}{
		{nil, 0, true, true, nil},
		{[]int{1, -5, 2}, 3, true, true, nil},
		{[]int{1, 2}, 2, true, false, errMany},
		{[]int{1}, 2, false, false, nil},
	} {
		ok, err := Judge(c.seen, c.want, c.strict)
		if ok != c.ok || err != c.err {
			t.Errorf("%v %d %v: %v, %v", c.seen, c.want, c.strict, ok, err)
		}
	}
	Name(2)
}
