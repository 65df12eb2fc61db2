# What only a peer for development does: look inside, and run commands of the
# system. It needs one more peer of the name bob in the group.
# Run it with: peer NAME --dev --script scripts/shell/development.cmd

init
play
#> ^Try something
play one 'two words'
#> ^play has 2 arguments
#> ^1 "one"
#> ^2 "two words"
#> ^the peer is \S+, boot \d+, ready: true
dump status status.json
#> ^saved status to .*status.json
dump settings settings.json
#> ^saved settings
dump members members.json
#> ^saved members
dump nodes nodes.json
#> ^saved nodes
dump bootstrap bootstrap.json
#> ^saved bootstrap
dump remembered remembered.json
#> ^saved remembered
dump journal journal.json
#> ^saved journal
shell grep -c '"Name": "bob"' members.json
#> ^1$
#> ^exit status 0
shell echo one two three four five six seven
#> ^one two three four five six seven$
#> ^exit status 0
shell echo careful >&2
#> ^stderr: careful$
#> ^exit status 0
echo this is	echoed as  it is
#> ^this is	echoed as  it is$
sleep 10ms
log on session.log
#> ^log is on .*session.log
log level chat debug
#> chat debug
log tail 1
#> log level chat debug
log off
#> ^log is off
mode cmd
mode
#> ^cmd$
mode chat
help dump
#> ^dump NAME FILE
