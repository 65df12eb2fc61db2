# The first fallacy: the network is reliable.
#
# It shows that it need not be. One packet in ten is lost, one in twenty comes
# twice, some overtake others; streams break in the middle of a talk. Everybody
# hears everything once all the same, and nobody is taken for dead.
#
# Without it a lost packet would be a lost message, or a lost friend; and what is
# sent again because the answer was lost would be shown twice.

peers alice bob charly
timeout 45s

phase "they meet on a bad network"
fault link all <-> all loss 10% dup 5% reorder 5%
all init
await converged

phase "they talk"
repeat 5 {
  all msg can you hear me?
}
all expect chat "can you hear me?" count == 10 # five from each of the others

phase "streams break while they talk"
par {
  repeat 20 {
    alice msg it goes on
  }
  repeat 5 {
    fault reset alice <-> bob,charly
  }
}
bob,charly expect chat "it goes on" count == 20
heal

phase "nothing was lost, doubled or dreamt"
await converged
check delivery
check order
check membership

cleanup { all quit }
