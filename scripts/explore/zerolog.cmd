# A logger that writes to a buffer: the library that the peer itself logs with.
# Run it with: peer NAME --dev --script scripts/explore/zerolog.cmd

import github.com/rs/zerolog
#> ^zerolog is github.com/rs/zerolog, of github.com/rs/zerolog v
go var buf bytes.Buffer; log := zerolog.New(&buf).With().Str("peer", peer.Name()).Logger()
go log.Info().Int("members", 3).Msg("hello"); buf.String()
#> ^"\{\\"level\\":\\"info\\",\\"peer\\":\\"alice\\",\\"members\\":3,\\"message\\":\\"hello\\"\}\\n" :: string$
