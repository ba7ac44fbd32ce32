package store

import "plumb/internal/config"

// What is kept as a number. The numbers are on disk: they stay.
const (
	statusNone = iota
	statusOK
	statusDiscovered
	statusNotRecorded
	statusDeleted
	statusDeletedNotRecorded
)

// isLive is the condition of what exists, as the index on it has it.
const isLive = `r.status IN (1, 2, 3)`

var statuses = []config.ItemStatus{
	statusNone: "", statusOK: config.StatusOK, statusDiscovered: config.StatusDiscovered, statusNotRecorded: config.StatusNotRecorded,
	statusDeleted: config.StatusDeleted, statusDeletedNotRecorded: config.StatusDeletedNotRecorded,
}

func statusCode(s config.ItemStatus) int64 {
	for code, status := range statuses {
		if status == s {
			return int64(code)
		}
	}
	return statusNone
}

func statusOf(code int64) config.ItemStatus {
	if code < 0 || code >= int64(len(statuses)) {
		return ""
	}
	return statuses[code]
}

// liveAndRecorded reports whether counts of resources have one of that status.
func liveAndRecorded(code int64) bool { return code == statusOK || code == statusDiscovered }

const (
	codeNone = iota
	codeCompliant
	codeNonCompliant
	codeNotApplicable
)

var compliances = []config.Compliance{
	codeNone: config.InsufficientData, codeCompliant: config.Compliant, codeNonCompliant: config.NonCompliant, codeNotApplicable: config.NotApplicable,
}

func complianceCode(c config.Compliance) int64 {
	for code, compliance := range compliances {
		if compliance == c {
			return int64(code)
		}
	}
	return codeNone
}

func complianceOf(code int64) config.Compliance {
	if code < 0 || code >= int64(len(compliances)) {
		return config.InsufficientData
	}
	return compliances[code]
}
