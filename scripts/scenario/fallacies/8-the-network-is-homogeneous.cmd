# The eighth fallacy: the network is homogeneous.
#
# It shows a group whose members have nothing in common but the group: one sits
# behind a satellite, one on a radio link that loses every tenth packet, one on
# an old modem, and two in the same room. Each pair has the worse of two lines.
# All of them are members for all others, and everybody hears everybody, once.
#
# Without it what was measured between two machines in one room would be taken
# for what others will see.

peers desk shelf satellite radio modem
timeout 30s

fault link satellite <-> others(satellite) latency 250ms jitter 50ms
fault link radio <-> others(radio) loss 10%
fault link modem <-> others(modem) rate 64kbit latency 50ms

phase "they meet"
all init
await converged

phase "everybody hears everybody"
all msg from here
all expect chat "from here" count == 4
desk,shelf stable members.count == 5 for 3s
heal

phase "nothing was lost, doubled or dreamt"
await converged
check delivery
check order
check membership

cleanup { all quit }
