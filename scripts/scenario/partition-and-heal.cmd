# The group is cut in two, both halves go on, and it becomes one again.
#
# It shows that each half notices the other's absence and keeps working; that
# nothing crosses the cut; that the halves find each other without help when the
# cut is gone; and that all that was said meanwhile is delivered then, once, and
# in the order in which it was said.
#
# Without it the halves would stay two groups for good: each has given the other
# up, and has no reason to ask again.

peers ann ben cleo dan
group west = ann,ben
group east = cleo,dan
timeout 45s

phase "one group"
all init
await converged

phase "two groups"
fault partition west | east {
  west await members == west
  east await members == east
  ann msg west one
  ann msg west two
  cleo msg east one
  dan msg east two
  ben expect chat /^west/ count == 2
  west never chat /^east/ for 1s
  east never chat /^west/ for 100ms since phase
}

phase "one group again"
await converged
east expect chat "west one" count == 1 since start
east expect chat "west two" count == 1 since start
west expect chat "east one" count == 1 since start
west expect chat "east two" count == 1 since start
check delivery
check order

cleanup { all quit }
