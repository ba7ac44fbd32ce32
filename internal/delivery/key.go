package delivery

import (
	"fmt"
	"strings"
	"time"

	"plumb/internal/config"
)

// stampLayout is the spelling of times in the names of files.
const stampLayout = "20060102T150405Z"

func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

// base returns what the keys of a channel begin with.
func base(c config.DeliveryChannel) string {
	b := "AWSLogs/" + c.Account + "/Config/"
	if prefix := strings.Trim(c.Prefix, "/"); prefix != "" {
		return prefix + "/" + b
	}
	return b
}

// folder returns the folder of a kind of file. AWS does not pad month and day.
func folder(c config.DeliveryChannel, kind string, t time.Time) string {
	y, m, day := t.UTC().Date()
	return fmt.Sprintf("%s%s/%d/%d/%d/%s/", base(c), c.Region, y, int(m), day, kind)
}

// writabilityKey is the empty object that shows that the bucket can be written.
func writabilityKey(c config.DeliveryChannel) string { return base(c) + "ConfigWritabilityCheckFile" }

// A fileName is where a file of items lies, and where its table.
type fileName struct{ key, tableKey string }

// newFileName returns the keys of a file of a kind. Tables lie in folders of their own,
// named as Hive names partitions: whoever reads all files of a folder gets one kind.
func newFileName(c config.DeliveryChannel, kind string, t time.Time, name string) fileName {
	return fileName{
		folder(c, kind, t) + name + ".json.gz",
		fmt.Sprintf("%sParquet/%s/region=%s/date=%s/%s.parquet", base(c), kind, c.Region, t.UTC().Format(time.DateOnly), name),
	}
}

func snapshotName(c config.DeliveryChannel, id string, t time.Time) fileName {
	return newFileName(c, "ConfigSnapshot", t, fmt.Sprintf("%s_Config_%s_ConfigSnapshot_%s_%s", c.Account, c.Region, stamp(t), id))
}

// historyName names a file by its type, the first and last capture time in it, and
// which of the parts it is.
func historyName(c config.DeliveryChannel, f historyFile, t time.Time) fileName {
	return newFileName(c, "ConfigHistory", t, fmt.Sprintf("%s_Config_%s_ConfigHistory_%s_%s_%s_%d",
		c.Account, c.Region, f.kind, stamp(f.first), stamp(f.last), f.part))
}

func oversizedKey(c config.DeliveryChannel, it config.Item, t time.Time) string {
	return folder(c, "OversizedChangeNotification", t) + fmt.Sprintf("%s/%s/%s_Config_%s_ChangeNotification_%s_%s_%s_%d.json.gz",
		it.Type, it.ID, c.Account, c.Region, it.Type, it.ID, stamp(t), it.StateID)
}
