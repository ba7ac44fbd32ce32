package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"plumb/internal/config"
)

// The sizes of names that the store can index; AWS's are far below.
const maxName = 2048

var (
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	regionForm  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
	fileForm    = regexp.MustCompile(`(?:^|/)[0-9]{12}_Config_([a-z0-9-]+)_(?:ConfigSnapshot|ConfigHistory|ChangeNotification)_[^/]*$`)
)

// regionOf returns the region whose recorder delivered a file; empty if its name does
// not say so. Items do not say it where resources are global.
func regionOf(name string) string {
	if m := fileForm.FindStringSubmatch(name); m != nil && regionForm.MatchString(m[1]) {
		return m[1]
	}
	return ""
}

// parseItem reads an item of a file that a region's recorder delivered, if its name
// says which. Where neither the file nor the item names a region, it is global's.
func parseItem(raw []byte, region, global string) (config.Item, error) {
	it, version, err := config.ItemFromFile(raw)
	if err != nil || it.Account == "" || it.StateID == 0 {
		if raw, err = fromOldForm(raw); err != nil {
			return it, err
		}
		if it, version, err = config.ItemFromFile(raw); err != nil {
			return it, err
		}
	}
	it.AWSRegion = it.Region
	if it.Region = region; it.Region == "" {
		if it.Region = it.AWSRegion; !regionForm.MatchString(it.Region) {
			it.Region = global
		}
	}
	return it.Stamped(version), checkItem(it)
}

func checkItem(it config.Item) error {
	switch {
	case !accountForm.MatchString(it.Account):
		return fmt.Errorf("awsAccountId %q is none", short(it.Account))
	case it.Type == "" || it.ID == "":
		return errors.New("it has no resourceType or no resourceId")
	case len(it.Type) > maxName || len(it.ID) > maxName || len(it.Name) > maxName || len(it.ARN) > maxName:
		return fmt.Errorf("a name of it is longer than %d bytes", maxName)
	case hasNull(it.Type, it.ID, it.Name, it.ARN):
		return errors.New("a name of it has a character U+0000")
	case !slices.Contains(config.ItemStatuses(), it.Status):
		return fmt.Errorf("configurationItemStatus %q is none", short(string(it.Status)))
	case it.CaptureTime.IsZero():
		return errors.New("it has no configurationItemCaptureTime")
	}
	return nil
}

func hasNull(names ...string) bool {
	return slices.ContainsFunc(names, func(s string) bool { return slices.Contains([]byte(s), 0) })
}

func short(s string) string { return s[:min(len(s), 64)] }

// fromOldForm turns what items of the first schema versions and of the API look like
// into the form of events: other names of members, states as text, configurations as
// text.
func fromOldForm(raw []byte) ([]byte, error) {
	v, err := config.Decode(raw)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("it is no object")
	}
	for old, name := range map[string]string{
		"accountId": "awsAccountId", "arn": "ARN", "version": "configurationItemVersion", "configurationItemMD5Hash": "configurationStateMd5Hash",
		"configurationStateID": "configurationStateId", "availibilityZone": "availabilityZone",
	} {
		if v, ok := m[old]; ok && m[name] == nil {
			m[name] = v
		}
		delete(m, old)
	}
	if text, ok := m["configurationStateId"].(string); ok {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("configurationStateId %q is no number", short(text))
		}
		m["configurationStateId"] = n
	}
	if text, ok := m["configuration"].(string); ok {
		m["configuration"] = decoded(text)
	}
	if list, ok := m["relationships"].([]any); ok {
		for _, r := range list {
			if r, ok := r.(map[string]any); ok && r["name"] == nil {
				r["name"] = r["relationshipName"]
			}
		}
	}
	return json.Marshal(m)
}

// decoded returns the JSON in a text, or the text.
func decoded(text string) any {
	if v, err := config.Decode([]byte(text)); err == nil {
		return v
	}
	return text
}
