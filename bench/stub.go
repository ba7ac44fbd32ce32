package main

import "context"

func evaluations(ctx context.Context, b *bench) error { return nil }
func read(ctx context.Context, b *bench) error        { return nil }
func invoke(ctx context.Context, b *bench) error      { return nil }
func latency(ctx context.Context, b *bench) error     { return nil }
func program(ctx context.Context, b *bench) error     { return nil }
func serveFloor()                                     {}
