package coordinator

// Raced tells whether this test looks for data races.
const Raced = raced
