package pattern

// anythingBut reads the argument of anything-but: a string or number, several of
// one kind, or an operator with one or several strings.
func (p *parser) anythingBut(l *leaf) error {
	t, err := p.next()
	if err != nil {
		return err
	}
	operator := ""
	if t.kind == beginObject {
		if operator, err = p.exceptOperator(); err != nil {
			return err
		}
		if t, err = p.next(); err != nil {
			return err
		}
	}
	e := except{exact: map[string]bool{}}
	switch {
	case t.kind == beginArray:
		err = p.exceptList(&e, operator)
	case t.kind == text || t.kind == number:
		err = p.exceptOne(&e, operator, t)
	default:
		err = p.fail("Value of anything-but must be an array or single string/number value.")
	}
	if err != nil {
		return err
	}
	l.others = append(l.others, e)
	if operator != "" {
		if err := p.end(tooMany); err != nil {
			return err
		}
	}
	return p.end(tooMany)
}

func (p *parser) exceptOperator() (string, error) {
	t, err := p.next()
	if err != nil {
		return "", err
	}
	if t.kind != fieldName {
		return "", p.fail("Anything-But expression name not found")
	}
	switch t.text {
	case "prefix", "suffix", "equals-ignore-case", "wildcard":
		return t.text, nil
	}
	return "", p.fail("Unsupported anything-but pattern: " + t.text)
}

func (p *parser) exceptList(e *except, operator string) error {
	texts, numbers := false, false
	for {
		t, err := p.next()
		if err != nil {
			return err
		}
		if t.kind == endArray {
			break
		}
		if err := p.exceptOne(e, operator, t); err != nil {
			if operator == "wildcard" && t.kind == text {
				return err
			}
			return p.fail(err.Error()) // AWS tells the place twice
		}
		texts, numbers = texts || t.kind == text, numbers || t.kind == number
	}
	if operator == "" && texts == numbers {
		return p.fail("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return nil
}

func (p *parser) exceptOne(e *except, operator string, t token) error {
	if t.kind == number && operator == "" {
		n := numberOf(t.text)
		if !n.comparable {
			return reasonError(outOfRange)
		}
		e.others = append(e.others, equalNumber(n))
		return nil
	}
	if t.kind != text {
		return p.fail(map[string]string{
			"":                   "Inside anything but list, start|null|boolean is not supported.",
			"equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
			"wildcard":           "wildcard match pattern must be a string",
			"prefix":             "prefix/suffix match pattern must be a string",
			"suffix":             "prefix/suffix match pattern must be a string",
		}[operator])
	}
	s, err := p.read(t)
	if err != nil {
		return err
	}
	switch operator {
	case "":
		e.exact[s] = true
	case "equals-ignore-case":
		e.others = append(e.others, equalFold(s))
	case "wildcard":
		parts, reason := wildcardOf(s)
		if reason != "" {
			return p.fail(reason)
		}
		e.others = append(e.others, parts)
	default:
		if s == "" {
			return p.fail("Null prefix/suffix not allowed")
		}
		if operator == "prefix" {
			e.others = append(e.others, prefix{text: s})
		} else {
			e.others = append(e.others, suffix{text: s})
		}
	}
	return nil
}
