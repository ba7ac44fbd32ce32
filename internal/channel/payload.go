package channel

import (
	"encoding/json"
	"fmt"
	"strings"

	"plumb/internal/config"
)

// maxShown is how many lines a chat shows of a post; Slack takes 50 blocks, and Teams
// 28 KB. The rest is counted: it is in the console.
const (
	maxShown      = 20
	maxShownBytes = 20 << 10
)

// shownOf returns the lines that a chat shows, and how many it does not.
func shownOf(lines []Line) (shown []Line, more int) {
	size := 0
	for i, l := range lines {
		if size += len(l.Text) + len(l.Link); i > 0 && (i == maxShown || size > maxShownBytes) {
			return lines[:i], len(lines) - i
		}
	}
	return lines, 0
}

// aWebhook is the body of a post to a webhook.
type aWebhook struct {
	Version string `json:"version"`
	Channel string `json:"channel"`
	Account string `json:"account"`
	Region  string `json:"region"`
	Text    string `json:"text"`
	Lines   []Line `json:"lines"`
}

func webhookBody(name string, p config.Place, lines []Line) ([]byte, error) {
	return json.Marshal(aWebhook{"1", name, p.Account, p.Region, headline(p, lines), lines})
}

// The parts of Slack's messages that are used: https://docs.slack.dev/reference/block-kit
type (
	slackMessage struct {
		Text   string       `json:"text"` // what a notification shows
		Blocks []slackBlock `json:"blocks"`
	}
	slackBlock struct {
		Type     string      `json:"type"`
		Text     *slackText  `json:"text,omitempty"`
		Elements []slackText `json:"elements,omitempty"`
	}
	slackText struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
)

func slackBody(p config.Place, lines []Line) ([]byte, error) {
	section := func(text string) slackBlock {
		return slackBlock{Type: "section", Text: &slackText{"mrkdwn", text}}
	}
	m := slackMessage{Text: slackEscape(headline(p, lines))}
	if len(lines) > 1 {
		m.Blocks = append(m.Blocks, section("*"+slackEscape(headline(p, lines))+"*"))
	}
	shown, more := shownOf(lines)
	for _, l := range shown {
		text := slackEscape(l.Text)
		if l.Link != "" {
			text += " <" + strings.ReplaceAll(l.Link, "|", "%7C") + "|Open in the console>"
		}
		m.Blocks = append(m.Blocks, section(text))
	}
	if more > 0 {
		m.Blocks = append(m.Blocks, slackBlock{Type: "context", Elements: []slackText{{"mrkdwn", moreText(more)}}})
	}
	return json.Marshal(m)
}

func moreText(n int) string { return fmt.Sprintf("and %d more", n) }

// slackEscape keeps a text from being read as links and mentions.
func slackEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// The parts of Adaptive Cards that are used, in a message as a workflow of Teams takes
// it: https://adaptivecards.io/explorer/
type (
	teamsMessage struct {
		Type        string            `json:"type"`
		Attachments []teamsAttachment `json:"attachments"`
	}
	teamsAttachment struct {
		ContentType string    `json:"contentType"`
		ContentURL  *string   `json:"contentUrl"`
		Content     teamsCard `json:"content"`
	}
	teamsCard struct {
		Schema  string        `json:"$schema"`
		Type    string        `json:"type"`
		Version string        `json:"version"`
		Body    []teamsText   `json:"body"`
		Actions []teamsAction `json:"actions,omitempty"`
	}
	teamsText struct {
		Type   string `json:"type"`
		Text   string `json:"text"`
		Wrap   bool   `json:"wrap"`
		Weight string `json:"weight,omitempty"`
	}
	teamsAction struct {
		Type  string `json:"type"`
		Title string `json:"title"`
		URL   string `json:"url"`
	}
)

func teamsBody(p config.Place, lines []Line) ([]byte, error) {
	card := teamsCard{Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4"}
	add := func(text, weight string) {
		card.Body = append(card.Body, teamsText{Type: "TextBlock", Text: text, Wrap: true, Weight: weight})
	}
	if len(lines) > 1 {
		add(teamsEscape(headline(p, lines)), "Bolder")
	} else if lines[0].Link != "" {
		card.Actions = []teamsAction{{"Action.OpenUrl", "Open in the console", lines[0].Link}}
	}
	shown, more := shownOf(lines)
	for _, l := range shown {
		text := teamsEscape(l.Text)
		if l.Link != "" && len(lines) > 1 {
			text += " [Open in the console](" + strings.NewReplacer("(", "%28", ")", "%29").Replace(l.Link) + ")"
		}
		add(text, "")
	}
	if more > 0 {
		add(moreText(more), "")
	}
	return json.Marshal(teamsMessage{Type: "message", Attachments: []teamsAttachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: card}}})
}

// teamsEscape keeps a text from being read as Markdown.
func teamsEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "`", "\\`").Replace(s)
}

// mailText has every line, each with its link below it.
func mailText(p config.Place, lines []Line) string {
	var b strings.Builder
	if len(lines) > 1 {
		fmt.Fprintf(&b, "%s\n\n", headline(p, lines))
	}
	for _, l := range lines {
		fmt.Fprintf(&b, "%s\n", l.Text)
		if l.Link != "" {
			fmt.Fprintf(&b, "%s\n", l.Link)
		}
		b.WriteString("\n")
	}
	return b.String()
}
