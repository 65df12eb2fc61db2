# From nothing to a chat, one layer after another: what init does at once.
# Run it with: peer NAME --bare --script scripts/shell/step-by-step.cmd
memberlistconfigure
memberlistcreate
bootstrapjoin
memberliststart
memberlistjoin
chatstart
sleep 1
chatmembers
