# A function that is typed becomes a command of that peer, with its name in front
# as any other, and what it says is heard by the others.
# Run it with: testserver run scripts/explore/scenario/keep.cmd

peers alice bob
timeout 30s

phase "a command is made"
all init
await converged within 10s
! alice shout hello
stderr "unknown command"
alice go func loud(words []string) string { return strings.ToUpper(strings.Join(words, " ")) + "!" }
alice go func shout(ctx context.Context, args []string) error { _, err := room.Send(ctx, loud(args)); fmt.Println("said", len(args)); return err }
alice keep -n shout say it loudly
alice help shout
stdout /say it loudly/

phase "it is used"
alice shout hello "dear bob"
stdout "said 2"
bob expect chat "HELLO DEAR BOB!" count == 1
alice go peer.Command(ctx, "shout again")
bob expect chat "AGAIN!" count == 1
! bob shout hello

phase "it is taken away"
alice unkeep shout
! alice shout hello
