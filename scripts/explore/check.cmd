# A suite of tests, typed at the prompt and run in the peer.
# Run it with: peer NAME --dev --script scripts/explore/check.cmd

import gopkg.in/check.v1
#> ^check is gopkg.in/check.v1, of gopkg.in/check.v1 v
go type suite struct{ ready bool }; func (s *suite) SetUpSuite(c *check.C) { s.ready = true }; func (s *suite) TestName(c *check.C) { c.Check(s.ready, check.Equals, true); c.Check(peer.Name(), check.Equals, "alice") }; func (s *suite) TestWrong(c *check.C) { c.Check([]int{1, 2}, check.HasLen, 3) }
go check.Suite(&suite{}); result := check.RunAll(&check.RunConf{Output: os.Stdout})
#> ^\.\.\. obtained \[\]int = \[\]int\{1, 2\}$
go result.Succeeded, result.Failed
#> ^1, 1 :: int, int$
