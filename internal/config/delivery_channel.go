package config

import "time"

// A DeliveryChannel says where items, messages and files go.
type DeliveryChannel struct {
	Place
	Name      string
	Bucket    string
	Prefix    string // s3KeyPrefix as put; slashes at its ends are left out of keys
	KMSKeyARN string
	TopicARN  string // empty: no messages
	Frequency string // deliveryFrequency of snapshots; empty: only on demand
}

// A DeliveryInfo is one part of a channel's status: how the last delivery of
// snapshots, of history files, or of messages went. Zero: nothing happened yet.
type DeliveryInfo struct {
	Status       string // StatusSuccess, StatusFailure, StatusNotApplicable or empty
	ErrorCode    string
	ErrorMessage string
	Attempt      time.Time
	Success      time.Time
	Next         time.Time
	Changed      time.Time
	Through      time.Time // history files: up to when items were delivered
}

// A DeliveryStatus is what DescribeDeliveryChannelStatus tells.
type DeliveryStatus struct {
	Snapshot, History, Stream DeliveryInfo
}
