# What a peer can ask about the run that it takes part in, and starting over.
# The first filter is forgotten again: it could not come true.

alice init
bob init

alice testfilter messagesView 5 <bob> never
alice testlocalfilters
alice testrun
alice testreset

alice testfilter messagesView 1 <bob> hello
bob testfilter messagesView 0 <alice>
bob testlocalfilters --json
bob msg hello
bob testsummaryprepare
alice testfilters
alice testrun --json
alice testsummary
