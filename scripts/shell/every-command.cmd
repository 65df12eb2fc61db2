# Every command of the groups cli, bootstrap, memberlist, broadcast and chat,
# but exit, which would end the peer like a crash. It needs one more peer of
# the name bob in the group.
# Run it with: peer NAME --bare --script scripts/shell/every-command.cmd

help
help groups
help commands
help msg
mode
mode cmd
mode chat
log
log level membership debug
log tail 5
log level all info

bootstrap
bootstrappeers
localnode
memberlistconfigure
memberlistconfigure ProbeInterval 500ms SuspicionMult 3
memberlistcreate
bootstrapjoin
bootstrappeers --json
memberliststart
memberlistjoin
memberlist
members --json
localnode --json

chatstart
init                      # what is left to do
init                      # nothing
chatmembers
chatmemberping bob
msg hello; this is all one message
broadcastadd colour dark blue
broadcastadd size 7
broadcastlist
broadcastdel colour size
broadcastlist --json
chatleave
chatstart
bootstrap --json
quit
