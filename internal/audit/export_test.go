package audit

// KeepsAt is Keeps of a log with these options.
func KeepsAt(o Options, service, operation, code string) bool {
	return (&Log{o: o}).Keeps(service, operation, code, 200)
}
