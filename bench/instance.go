package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"plumb/internal/config"
)

// instanceJSON is an EC2 instance as AWS Config records it: 3 KB, 1.7 KB of them
// configuration.
//
//go:embed instance.json
var instanceJSON []byte

const instanceType = "AWS::EC2::Instance"

// flipped is the rule whose verdict every change of an instance turns around.
const flipped = "EC2_INSTANCE_DETAILED_MONITORING_ENABLED"

// others are rules on instances that the changes leave alone.
var others = []string{
	"APPROVED_AMIS_BY_ID", "DESIRED_INSTANCE_TYPE", "DESIRED_INSTANCE_TENANCY", "EBS_OPTIMIZED_INSTANCE", "EC2_IMDSV2_CHECK",
	"EC2_INSTANCE_MULTIPLE_ENI_CHECK", "EC2_INSTANCE_NO_PUBLIC_IP", "EC2_INSTANCE_PROFILE_ATTACHED", "EC2_NO_AMAZON_KEY_PAIR",
	"EC2_PARAVIRTUAL_INSTANCE_CHECK", "EC2_TOKEN_HOP_LIMIT_CHECK", "INSTANCES_IN_VPC", "REQUIRED_TAGS",
}

var parameters = map[string]string{
	"APPROVED_AMIS_BY_ID":      `{"amiIds":"ami-1,ami-2,ami-0abcdef1234567890"}`,
	"DESIRED_INSTANCE_TYPE":    `{"instanceType":"t3.micro,m5.large"}`,
	"DESIRED_INSTANCE_TENANCY": `{"tenancy":"DEFAULT"}`,
	"REQUIRED_TAGS":            `{"tag1Key":"Environment","tag1Value":"prod,test","tag2Key":"Owner"}`,
}

// A fleet is instances that change: each is decoded once, as a collector would
// have just read it, and gets a new state with every step.
type fleet struct {
	place config.Place
	items []config.Item
	mu    sync.Mutex
	step  int
}

func newFleet(p config.Place, n int) (*fleet, error) {
	f := &fleet{place: p}
	for i := range n {
		var it config.Item
		if err := json.Unmarshal(instanceJSON, &it); err != nil {
			return nil, fmt.Errorf("instance.json: %w", err)
		}
		it.ResourceKey = config.ResourceKey{Place: p, Type: instanceType, ID: fmt.Sprintf("i-%017x", i)}
		it.ARN = "arn:aws:ec2:" + p.Region + ":" + p.Account + ":instance/" + it.ID
		f.items = append(f.items, it)
	}
	return f, nil
}

// next returns n instances, each changed: its launch time is another, and its
// monitoring is turned on or off, which one of the rules minds.
func (f *fleet) next(n int) []config.Item {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]config.Item, 0, n)
	for range n {
		i := f.step % len(f.items)
		monitoring := []string{"enabled", "disabled"}[f.step/len(f.items)%2]
		out = append(out, changed(f.items[i], monitoring, fmt.Sprintf("2026-01-02T03:04:05.%09dZ", f.step)))
		f.step++
	}
	return out
}

func changed(it config.Item, monitoring, launched string) config.Item {
	c := map[string]any{}
	for k, v := range it.Configuration.(map[string]any) {
		c[k] = v
	}
	c["monitoring"], c["launchTime"] = map[string]any{"state": monitoring}, launched
	it.Configuration = c
	return it
}
