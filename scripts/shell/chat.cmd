# The chat: open it, talk, reach others over its streams and over membership,
# close it with and without a word. It needs one more peer of the name bob in
# the group.
# Run it with: peer NAME --bare --script scripts/shell/chat.cmd

chatstop                          # before anything is there: nothing happens
#> ^the chat is closed
chatleave
#> ^the chat is closed
init
#> ; 1 other member$
chatmembers
#> ^bob$
chatmembers --json
#> \["bob"\]
chatping bob
#> ^bob answered in [0-9.]+(µs|ms|s)$
chatmemberping bob
#> ^bob answered in [0-9.]+(µs|ms|s)$
msg hello
#> ^delivered to 1
chatstop
#> ^the chat is closed
chatstart
#> ^the chat is open
msg here again, and nobody has noticed
#> ^delivered to 1
chatleave
#> ^the chat is closed
chatping bob                      # membership needs no chat
#> ^bob answered in [0-9.]+(µs|ms|s)$
chatstart
#> ^the chat is open
msg back
#> ^delivered to 1
broadcastadd motto ever onwards
#> ^added here and on 1
broadcastlist
#> ^motto ever onwards
broadcastdel motto
#> ^deleted here and on 1
broadcastlist --json
#> ^\[\]
