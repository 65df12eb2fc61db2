# The second fallacy: latency is zero.
#
# It shows that far away is not gone: whoever answers half a second late is still
# a member. And it shows what latency does to a talk: an answer that travels a
# shorter way than its question arrives first. The chat keeps the order of each
# sender, not that of questions and answers; the journal still knows it, because
# every message carries the logical time of its sender.
#
# Without it every group would have the size of the room it was tested in, and
# clocks on walls would be taken for the truth.

peers asker friend far
timeout 45s

all init
await converged

phase "a far peer is a peer"
fault link asker <-> far latency 250ms
asker chatmemberping far
# There and back, so half a second or more.
stdout /[5-9]\d\d(\.\d+)? ?ms|\d(\.\d+)? ?s/
asker,far stable members.count == 3 for 3s

phase "the answer overtakes the question"
bg question: asker msg where are you?
friend expect chat "where are you?"
friend msg over here
far expect chat "over here" count == 1
far expect chat "where are you?" count == 1
join question

phase "and yet the order is known"
far trace relation "where are you?" "over here"
stdout "before"
heal
check delivery
check order

cleanup { all quit }
