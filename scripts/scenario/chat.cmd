# A chat of three, from the first word to a goodbye.
#
# It shows that what somebody says reaches everybody else once; that what one
# peer says comes in the order in which he said it, even when all talk at once;
# and that who leaves the chat is announced, and hears no more of it.
#
# Without it nobody would know: a chat that doubles, loses or shuffles lines
# looks fine to the one who types.

peers alice bob charly

phase "they meet"
all init
await converged
all expect view /<joined> (alice|bob|charly) has joined|<info> here: /

phase "a question and its answer"
alice msg does anybody know the way?
bob expect view "<alice> does anybody know the way?"
bob msg I do
charly expect view "<bob> I do" count == 1

phase "everybody talks at once"
par {
  repeat 10 {
    alice msg tick
  }
  repeat 10 {
    bob msg tock
  }
  repeat 10 {
    charly msg tack
  }
}
all expect chat /^t.ck$/ count == 20 # ten from each of the others
check delivery
check order

phase "one leaves"
charly chatleave
alice,bob expect view "<left> charly is leaving" count == 1
alice msg he does not hear this
bob expect chat "he does not hear this" count == 1
charly never chat "he does not hear this" for 500ms
! alice chatmemberping charly
stderr "charly"

phase "and comes back"
charly chatstart
alice,bob expect view "<joined> charly has joined" count == 1
charly msg here I am again
alice,bob expect chat "here I am again" count == 1
check delivery

cleanup { all quit }
