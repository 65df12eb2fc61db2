# The seventh fallacy: transport cost is zero.
#
# It shows what a message costs: one way there, one way back. Fifty words that
# are said one after another, each when the last one has been heard, take fifty
# times that; a text that is one message takes it once. And three hundred small
# messages, from all sides at once, cost no more than their time: nobody is lost
# over them, and each arrives once.
#
# Without it the number of messages would be seen on the bill for the first time.

peers alice bob charly
timeout 30s

all init
await converged

phase "word by word"
fault link alice <-> bob latency 50ms {
  bg words: alice execute words.cmd
  bob never chat "the fiftieth" for 1s
  bob expect chat "the fiftieth" count == 1
  join words
}

phase "all at once"
repeat 100 {
  all msg another one
}
all expect chat "another one" count == 200 # a hundred from each of the others
all await members.count == 3
check delivery
check order
check membership

cleanup { all quit }

-- words.cmd --
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg word
msg the fiftieth
