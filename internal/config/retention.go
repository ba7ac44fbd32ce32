package config

// The days that configuration items may be kept, and how many they are kept where
// nobody said.
const (
	MinRetention     = 30
	MaxRetention     = 2557
	DefaultRetention = MaxRetention
)

// RetentionName is the name of every retention configuration.
const RetentionName = "default"

// A RetentionConfiguration says how long the items of a place are kept.
type RetentionConfiguration struct {
	Place Place
	Name  string
	Days  int
}
