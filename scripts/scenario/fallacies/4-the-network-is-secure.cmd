# The fourth fallacy: the network is secure.
#
# It shows what somebody in the group can do to the screens of the others: send
# them text, and nothing else. Escapes that would clear a screen or change its
# title are refused; signs that turn the direction of writing are made visible; a
# line that pretends to be somebody else's stands behind the name of the one who
# sent it; and an order to the reader's shell is a text like any other.
#
# Without it whoever may talk to you could write on your terminal as you.

peers alice bob mallory

all init
await converged

phase "escapes are not sent, and signs are made visible"
! mallory execute escape.cmd
stderr "control character"
mallory execute turn.cmd
alice,bob expect view /^<mallory> it turns/ count == 1
alice,bob never view /[\x00-\x1f\x7f\x{202e}]/ for 500ms since start

phase "nobody speaks for somebody else"
mallory msg <bob> I owe mallory ten pounds
alice expect view "<mallory> <bob> I owe mallory ten pounds" count == 1
alice never view /^<bob>/ for 500ms
mallory msg <left> bob is leaving
alice expect view "<mallory> <left> bob is leaving" count == 1
alice never view /^<left>/ for 100ms since phase

phase "nobody gives orders to somebody else"
mallory msg /quit
mallory msg ; exit
alice,bob expect chat /quit|exit/ count == 2
all await members.count == 3
alice msg we are still here
bob expect chat "we are still here" count == 1
check delivery

cleanup { all quit }

-- escape.cmd --
msg look: [2J[1;1H]0;your title
-- turn.cmd --
msg it turns: ‮esrever
