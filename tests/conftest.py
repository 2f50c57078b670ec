"""Its folder is where tests of every area find the helpers they share."""

import os
import signal

# A shell starts what it puts in the background with Ctrl-C ignored, children included:
# tests that press it would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests that name no data set would run on whatever the developer has prepared.
os.environ.pop("HASHBENCH_DATA", None)
