package guard

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"plumb/internal/guard/document"
)

// parseInt makes an integer. A float loses its fraction.
func parseInt(v *document.Value) (*document.Value, error) {
	switch v.Kind() {
	case document.Int:
		return v, nil
	case document.Float:
		return document.NewInt(truncated(v.Float())), nil
	case document.String, document.Char:
		if i, err := strconv.ParseInt(v.Plain(), 10, 64); err == nil {
			return document.NewInt(i), nil
		}
		return nil, cannot(v, "an integer")
	}
	return nil, nil
}

// truncated cuts a float to an integer; what is out of range becomes the nearest.
func truncated(f float64) int64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

// parseFloat makes a float. Go reads forms that the original does not, and they are
// refused: hexadecimal, and underscores between digits.
func parseFloat(v *document.Value) (*document.Value, error) {
	switch v.Kind() {
	case document.Float:
		return v, nil
	case document.Int:
		return document.NewFloat(float64(v.Int())), nil
	case document.String, document.Char:
		if strings.ContainsAny(v.Plain(), "xXpP_") {
			return nil, cannot(v, "a float")
		}
		f, err := strconv.ParseFloat(v.Plain(), 64)
		if err != nil && !math.IsInf(f, 0) {
			return nil, cannot(v, "a float")
		}
		return document.NewFloat(f), nil
	}
	return nil, nil
}

// parseBoolean makes a boolean of the words true and false in any case.
func parseBoolean(v *document.Value) (*document.Value, error) {
	switch v.Kind() {
	case document.Bool:
		return v, nil
	case document.String:
		switch strings.ToLower(v.Text()) {
		case "true":
			return document.NewBool(true), nil
		case "false":
			return document.NewBool(false), nil
		}
		return nil, cannot(v, "a boolean")
	}
	return nil, nil
}

func parseString(v *document.Value) (*document.Value, error) {
	switch v.Kind() {
	case document.Int, document.Float, document.Bool, document.String, document.Char:
		return document.NewString(v.Plain()), nil
	}
	return nil, nil
}

// parseChar makes a character of one byte's text or one digit. Of a character it
// makes a string, as the original does.
func parseChar(v *document.Value) (*document.Value, error) {
	switch v.Kind() {
	case document.Char:
		return document.NewString(v.Plain()), nil
	case document.Int:
		if v.Int() < 0 || v.Int() > 9 {
			return nil, cannot(v, "a character")
		}
		return document.NewChar('0' + rune(v.Int())), nil
	case document.String:
		if len(v.Text()) > 1 {
			return nil, cannot(v, "a character")
		}
		if c, size := utf8.DecodeRuneInString(v.Text()); size > 0 {
			return document.NewChar(c), nil
		}
	}
	return nil, nil
}

func cannot(v *document.Value, what string) error {
	return fmt.Errorf("%s at %s cannot be read as %s", v.Literal(), v.Place(), what)
}
