package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A config is what an image says of how it is run, in the form of the OCI image
// specification. Healthcheck is Docker's addition to it, which podman reads too.
type config struct {
	User         string              `json:",omitempty"`
	ExposedPorts map[string]struct{} `json:",omitempty"`
	Env          []string            `json:",omitempty"`
	Entrypoint   []string            `json:",omitempty"`
	Volumes      map[string]struct{} `json:",omitempty"`
	Labels       map[string]string   `json:",omitempty"`
	StopSignal   string              `json:",omitempty"`
	Healthcheck  *healthcheck        `json:",omitempty"`
}

type healthcheck struct {
	Test                           []string
	Interval, Timeout, StartPeriod time.Duration
}

// readContainerfile reads the last stage of a Containerfile. It knows the
// instructions that ours has and refuses others.
func readContainerfile(text string) (config, error) {
	var c config
	for n, line := range strings.Split(strings.ReplaceAll(text, "\\\n", ""), "\n") {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if instruction == "" || strings.HasPrefix(instruction, "#") {
			continue
		}
		if err := c.read(instruction, strings.TrimSpace(rest)); err != nil {
			return c, fmt.Errorf("instruction %d: %w", n+1, err)
		}
	}
	if len(c.Entrypoint) == 0 {
		return c, fmt.Errorf("the last stage has no ENTRYPOINT")
	}
	return c, nil
}

func (c *config) read(instruction, rest string) (err error) {
	switch instruction {
	case "FROM":
		*c = config{Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}} // a new stage
	case "ARG", "COPY", "RUN", "WORKDIR": // of the build stage
	case "USER":
		c.User = rest
	case "STOPSIGNAL":
		c.StopSignal = rest
	case "EXPOSE":
		c.ExposedPorts = map[string]struct{}{rest + "/tcp": {}}
	case "VOLUME":
		c.Volumes = map[string]struct{}{rest: {}}
	case "ENV":
		c.Env = append(c.Env, strings.Fields(rest)...)
	case "LABEL":
		c.Labels, err = labels(rest)
	case "ENTRYPOINT":
		err = json.Unmarshal([]byte(rest), &c.Entrypoint)
	case "HEALTHCHECK":
		c.Healthcheck, err = readHealthcheck(rest)
	default:
		err = fmt.Errorf("%s is not known here", instruction)
	}
	return err
}

// labels reads KEY="VALUE" pairs.
func labels(s string) (map[string]string, error) {
	all := map[string]string{}
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		key, rest, ok := strings.Cut(s, `="`)
		value, more, closed := strings.Cut(rest, `"`)
		if !ok || !closed {
			return nil, fmt.Errorf("LABEL wants KEY=\"VALUE\", not %q", s)
		}
		all[key], s = value, more
	}
	return all, nil
}

func readHealthcheck(s string) (*healthcheck, error) {
	flags, command, ok := strings.Cut(s, "CMD ")
	if !ok {
		return nil, fmt.Errorf("HEALTHCHECK wants CMD")
	}
	h := &healthcheck{Test: []string{"CMD"}}
	var words []string
	if err := json.Unmarshal([]byte(command), &words); err != nil {
		return nil, err
	}
	h.Test = append(h.Test, words...)
	for _, f := range strings.Fields(flags) {
		name, value, _ := strings.Cut(f, "=")
		d, err := time.ParseDuration(value)
		if err != nil {
			return nil, err
		}
		switch name {
		case "--interval":
			h.Interval = d
		case "--timeout":
			h.Timeout = d
		case "--start-period":
			h.StartPeriod = d
		default:
			return nil, fmt.Errorf("HEALTHCHECK has no %s here", name)
		}
	}
	return h, nil
}
