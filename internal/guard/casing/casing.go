// Package casing writes a property's name in the ways that documents spell it.
// Guard looks a name up as it is written; if the document does not have it, Guard
// tries bucketName, BucketName, bucket-name, bucket_name, Bucket Name and
// Bucket-Name in turn, and stays with what it found for the rest of the path.
//
// The package is about single words of a path; it stores nothing.
package casing

import (
	"strings"
	"unicode"
)

// Count is how many spellings there are.
const Count = 7

// Spell writes name in every spelling, in the order in which they are tried:
// camel, class (pascal in the singular), kebab, pascal, snake, title, train.
func Spell(name string) [Count]string {
	return [Count]string{
		words(name, style{}),
		class(name),
		lower(name, '-'),
		words(name, style{startUpper: true}),
		lower(name, '_'),
		words(name, style{startUpper: true, joint: ' '}),
		words(name, style{startUpper: true, joint: '-'}),
	}
}

// A style is how words are put together again.
type style struct {
	startUpper bool
	joint      rune
}

// words splits a name where a small letter meets a capital, at digits and at
// anything else, and begins each word with a capital.
func words(name string, s style) string {
	var b strings.Builder
	b.Grow(len(name) + 8)
	newWord, first, started := s.startUpper, true, false
	var last rune
	for _, c := range strings.TrimRightFunc(name, isSeparator) {
		switch {
		case isSeparator(c):
			newWord = newWord || started
		case unicode.IsNumber(c):
			started, newWord = true, true
			b.WriteRune(c)
		case newWord || unicode.IsLower(last) && unicode.IsUpper(c):
			if !first && s.joint != 0 {
				b.WriteRune(s.joint)
			}
			started, newWord, first = true, false, false
			b.WriteRune(asciiUpper(c))
		default:
			started, last = true, c
			b.WriteRune(asciiLower(c))
		}
	}
	return b.String()
}

// lower writes a name in small letters with a joint before each capital that has a
// small letter beside it.
func lower(name string, joint rune) string {
	var b strings.Builder
	b.Grow(len(name) + 8)
	chars := []rune(strings.TrimRightFunc(name, isSeparator))
	all := []rune(name)
	first := true
	for i, c := range chars {
		switch {
		case isSeparator(c):
			if !first {
				first = true
				b.WriteRune(joint)
			}
			continue
		case !first && c == asciiUpper(c) && besideLower(all, i):
			b.WriteRune(joint)
		}
		first = false
		b.WriteRune(asciiLower(c))
	}
	return b.String()
}

func besideLower(chars []rune, i int) bool {
	return i+1 < len(chars) && unicode.IsLower(chars[i+1]) || i > 0 && unicode.IsLower(chars[i-1])
}

// class is pascal case with the last word in the singular.
func class(name string) string {
	pascal := words(name, style{startUpper: true})
	split := strings.LastIndexFunc(pascal, unicode.IsUpper)
	if split < 0 {
		split = 0
	}
	return pascal[:split] + singular(pascal[split:])
}

func isSeparator(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsNumber(c) }

func asciiUpper(c rune) rune {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func asciiLower(c rune) rune {
	if 'A' <= c && c <= 'Z' {
		return c - 'A' + 'a'
	}
	return c
}
