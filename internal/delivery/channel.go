package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"plumb/internal/channel"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/settings"
	"plumb/internal/store"
)

// channelSink is what the sink of a channel of the settings begins with; its name
// follows.
const channelSink = "channel:"

// postToChannels keeps messages in tx for the channels of the settings that are to be
// told of them. What a channel chooses by and must be read, the tags, is asked when the
// message is written.
func (d *Delivery) postToChannels(ctx context.Context, tx *db.Tx, p config.Place, kind string, all []entry) error {
	for _, c := range d.channels.All() {
		var taken []entry
		for _, e := range all {
			ok, err := c.Takes(d.facts(ctx, tx, p, e))
			if err != nil {
				return err
			}
			if ok {
				taken = append(taken, e)
			}
		}
		if len(taken) == 0 {
			continue
		}
		if err := d.keep(ctx, tx, config.LaneKey{Place: p, Sink: channelSink + c.Name()}, kind, taken); err != nil {
			return err
		}
	}
	return nil
}

// facts are what channels choose an entry by.
func (d *Delivery) facts(ctx context.Context, tx *db.Tx, p config.Place, e entry) channel.Facts {
	f := channel.Facts{Place: p, Event: settings.EventsDeliveries}
	switch {
	case e.item != nil:
		f.Event, f.Type = settings.EventsItems, e.item.Type
	case e.change != nil:
		f.Event, f.Type, f.Rule, f.New = settings.EventsCompliance, e.change.New.Type, e.change.New.Rule, e.change.New.Compliance
		if e.change.Old != nil {
			f.Old = e.change.Old.Compliance
		}
		f.Pack = func() (string, error) { return packOf(ctx, tx, e.change.RuleID) }
	}
	return f
}

// packOf is the name of the conformance pack that a rule is of, or nothing.
func packOf(ctx context.Context, tx *db.Tx, rule string) (string, error) {
	id, err := store.PackOfRule(ctx, tx, rule)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	pack, err := store.ConformancePackByID(ctx, tx, id)
	return pack.Name, err
}

// openChannel is the way to a channel. One that the settings do not have is no reason
// to forget what waits: another server, or this one when it starts again, may have it.
func (d *Delivery) openChannel(k config.LaneKey) way {
	name := strings.TrimPrefix(k.Sink, channelSink)
	c, ok := d.channels.Named(name)
	if !ok {
		return missingWay{d, k, fmt.Errorf("channel %s: %w", name, errNoChannel)}
	}
	return channelWay{d, k.Place, c}
}

// A channelWay leads to a channel of the settings. What waits goes out in one post.
type channelWay struct {
	*Delivery
	place config.Place
	c     *channel.Channel
}

func (w channelWay) opens(now time.Time, oldest func() (time.Time, error)) (time.Time, error) {
	since, err := oldest()
	return w.c.Opens(now, since), err
}

// write returns the line of an entry.
func (w channelWay) write(ctx context.Context, e entry) (*Message, error) {
	var l channel.Line
	ok := true
	var err error
	switch {
	case e.item != nil:
		l, ok, err = w.itemLine(ctx, e)
	case e.change != nil:
		ch := e.change.Change()
		if ok, err = w.tagged(ctx, config.ResourceKey{Place: w.place, Type: ch.New.ResourceType, ID: ch.New.ResourceID}); ok {
			l = w.channels.Verdict(w.place, ch, e.created)
		}
	default:
		l, ok = w.channels.Delivery(w.place, []byte(e.notice.Body), e.created)
	}
	if err != nil || !ok {
		return nil, err
	}
	body, err := json.Marshal(l)
	return &Message{Subject: l.Text, Body: string(body)}, err
}

func (w channelWay) itemLine(ctx context.Context, e entry) (l channel.Line, ok bool, err error) {
	it, previous, err := w.itemWithPrevious(ctx, e.item.version(w.place))
	if errors.Is(err, store.ErrNotFound) {
		return l, false, nil // forgotten since
	}
	if err != nil {
		return l, false, err
	}
	tags := it.Tags
	if it.Status.Gone() && previous != nil {
		tags = previous.Tags // what is deleted has none
	}
	if !w.c.TakesTags(tags) {
		return l, false, nil
	}
	return w.channels.Item(it, config.NewDiff(previous, it), e.created), true, nil
}

// tagged reports whether a resource has the tags that the channel wants, as it is now.
func (w channelWay) tagged(ctx context.Context, key config.ResourceKey) (ok bool, err error) {
	if !w.c.ChoosesByTag() {
		return true, nil
	}
	err = w.db.Read(ctx, func(tx *db.Tx) error {
		it, err := store.CurrentItem(ctx, tx, key)
		ok = err == nil && w.c.TakesTags(it.Tags)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return ok, err
}

// send sends lines in one post. If that is not taken as it is, each goes by itself, so
// that one of them does not hold up the others.
func (w channelWay) send(ctx context.Context, all []Message) []error {
	err := w.post(ctx, all)
	if errors.Is(err, channel.ErrInvalid) && len(all) > 1 {
		return SendEach(ctx, all, 1, func(ctx context.Context, m Message) error { return w.post(ctx, []Message{m}) })
	}
	return FailedAll(len(all), err)
}

func (w channelWay) post(ctx context.Context, all []Message) error {
	lines := make([]channel.Line, len(all))
	for i, m := range all {
		if err := json.Unmarshal([]byte(m.Body), &lines[i]); err != nil {
			return fmt.Errorf("read a line: %w", err)
		}
	}
	within, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	err := w.c.Send(within, w.place, lines)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errors.Join(errNotTried, err)
	case errors.Is(err, channel.ErrInvalid):
		return errors.Join(ErrInvalid, err)
	}
	return err
}

func (w channelWay) note(_ context.Context, failed error) error {
	if failed != nil && !errors.Is(failed, context.Canceled) {
		w.failed("channel")
	}
	return nil
}

func (w channelWay) log(log *slog.Logger) *slog.Logger {
	return log.With("account", w.place.Account, "region", w.place.Region, "channel", w.c.Name())
}

func (w channelWay) advice(err error) string {
	if errors.Is(err, channel.ErrRefused) {
		return "correct the channel in the settings and start the server again; plumb channels test " + w.c.Name() + " shows whether it works"
	}
	return "see that the channel's service answers; nothing is lost until delivery-age is over"
}

// TestChannel sends an example to a channel at once, whatever it chooses and whatever
// the hour. It is store.ErrNotFound if there is none of the name.
func (d *Delivery) TestChannel(ctx context.Context, p config.Place, name string) error {
	c, ok := d.channels.Named(name)
	if !ok {
		return fmt.Errorf("the settings have no channel %q: %w", name, store.ErrNotFound)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return c.Send(ctx, p, []channel.Line{d.channels.Example(p, d.now())})
}

// errNoChannel is why nothing is sent on the lane of a channel that was taken out of
// the settings.
var errNoChannel = errors.New("the settings of this server have no such channel")

// A missingWay leads to a channel, or an event bus, that the settings do not have.
type missingWay struct {
	*Delivery
	k   config.LaneKey
	why error
}

func (missingWay) opens(now time.Time, _ func() (time.Time, error)) (time.Time, error) {
	return now, nil
}

func (w missingWay) write(context.Context, entry) (*Message, error) { return &Message{}, nil }

func (w missingWay) send(_ context.Context, all []Message) []error {
	return FailedAll(len(all), w.why)
}

func (missingWay) note(context.Context, error) error { return nil }

func (w missingWay) log(log *slog.Logger) *slog.Logger {
	return log.With("account", w.k.Account, "region", w.k.Region, "sink", w.k.Sink)
}

func (missingWay) advice(error) string {
	return "put it back into the settings, or leave it: its messages are undelivered when delivery-age is over"
}
