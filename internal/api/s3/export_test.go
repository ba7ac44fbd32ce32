package s3

// A Form is what the requests of an operation look like.
type Form struct {
	Operation, Method, Query, Header string
	InBucket, InObject               bool
}

// Forms lists those of all operations, those that are not built as well.
func Forms() (out []Form) {
	for _, r := range register() {
		out = append(out, Form{r.name, r.method, r.query, r.header, r.level == inBucket, r.level == inObject})
	}
	return out
}
