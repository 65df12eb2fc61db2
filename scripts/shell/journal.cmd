# Looking back: how two messages stand to each other, the journal as a diagram
# of space and time, and the session so far as a scenario. It needs one more
# peer of the name bob in the group.
# Run it with: peer NAME --bare --script scripts/shell/journal.cmd

init
#> ; 1 other member$
msg one
#> ^delivered to 1
msg two
#> ^delivered to 1
trace
#> ^[a-z]+/1/1 +one$
#> ^[a-z]+/1/2 +two$
trace relation one two            # messages are named by their texts, or ids
#> ^before: both are of [a-z]+, who numbered them 1/1 and 1/2$
trace relation two one
#> ^after: both are of
trace relation one one
#> ^equal: both are of
trace relation one two --json
#> "relation": "before"
trace export journal.log          # for ShiViz
#> ^wrote \d+ events to .*journal\.log$
save session.cmd
#> ^saved to .*session\.cmd; run it with: testserver run session\.cmd$
save session.cmd                  # over its own file, as often as you like
#> ^saved to .*session\.cmd
