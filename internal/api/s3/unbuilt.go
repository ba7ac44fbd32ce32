package s3

// unbuilt lists what S3 has and this face has not, so that it answers an error
// that says so instead of doing something else: without these routes a PUT of
// an object's retention would write an object.
func unbuilt() []route {
	var rs []route
	add := func(at level, query, what string, methods ...string) {
		for _, m := range methods {
			rs = append(rs, route{name: what, method: m, level: at, query: query, handle: func(*call) error { return notImplemented(what) }})
		}
	}
	add(inObject, "retention", "object lock retention", "GET", "PUT")
	add(inObject, "legal-hold", "object lock legal hold", "GET", "PUT")
	add(inObject, "torrent", "torrents", "GET")
	add(inObject, "restore", "restoring archived objects", "POST")
	add(inObject, "select", "SelectObjectContent", "POST")
	add(inObject, "encryption", "changing the encryption of an object", "PUT")
	add(inObject, "annotation", "object annotations", "GET", "PUT", "DELETE")
	add(inObject, "renameObject", "RenameObject", "PUT")
	add(inBucket, "object-lock", "object lock", "PUT")
	add(inBucket, "metadataTable", "metadata tables", "GET", "POST", "DELETE")
	add(inBucket, "metadataConfiguration", "metadata tables", "GET", "POST", "DELETE")
	add(inBucket, "session", "directory buckets", "GET")
	add(inBucket, "", "uploading by HTML form", "POST")
	add(inObject, "", "this operation", "POST")
	return rs
}
