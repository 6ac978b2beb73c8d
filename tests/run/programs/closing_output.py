import os
import sys

print("seen", flush=True)
print("kept in the buffer")
os.close(1)
sys.stderr.write("end\n")
