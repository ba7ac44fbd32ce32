package delivery

// SetHistoryPart makes history files of fewer items, so that a test need not write
// thousands.
func (d *Delivery) SetHistoryPart(n int) { d.historyPart = n }
