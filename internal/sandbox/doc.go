// Package sandbox starts programs that are not trusted: they see a small file
// system of their own, reach nothing on the network but what they were given,
// cannot signal or read other processes, have limits on memory, files and
// processes, and die with all their children when they are killed or when this
// program dies.
//
// How much of that the kernel gives differs from machine to machine. Probe tries
// the levels from the strongest down and says why a stronger one is missing.
//
//	func main() {
//		sandbox.Main() // a sandboxed child begins its life here
//		...
//	}
//
//	box, err := sandbox.New(log, sandbox.Probe(dir), dir)
//	p, err := box.Start(ctx, sandbox.Spec{Args: []string{"/usr/bin/python3", "-c", "print(1)"}, ...})
//	state, err := p.Wait()
//
// A child is started by running this same program again under a hidden argument;
// that process builds the walls around itself and then becomes the program that
// was asked for. Package sandbox knows nothing of functions or of AWS, and stores
// nothing except empty folders below the one it is given.
package sandbox
