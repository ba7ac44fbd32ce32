package settings

import "log/slog"

// A Secret is a text that no log, error, page or dump shows by accident.
type Secret string

// hidden is what everybody sees of a secret.
const hidden = "(hidden)"

// Reveal returns the secret itself, for the one who signs with it.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret from fmt.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
