package logs

// SetMaxGroup bounds groups, for tests.
func (s *Store) SetMaxGroup(bytes int64) { s.maxGroup = bytes }
