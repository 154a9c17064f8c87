"""tuspy against a running server: whole, cut in mid-PATCH and resumed, refused without a key.

Call: with_tuspy.py DIRECT_URL CUTTING_URL KEY FILE
"""

import sys

from tusclient import client, exceptions

direct, cutting, key, path = sys.argv[1:]
headers = {"Authorization": f"Bearer {key}"}
with open(path, "rb") as file:
    size = len(file.read())

try:
    client.TusClient(direct).uploader(path).upload()
    sys.exit("tuspy: an upload without a key was taken")
except exceptions.TusCommunicationError as error:
    assert error.status_code == 401, error.status_code
print("tuspy: refused without a key")

whole = client.TusClient(direct, headers=headers).uploader(path, chunk_size=100_000)
whole.upload()
assert whole.get_offset() == size
print("tuspy: whole upload in parts")

cut = client.TusClient(cutting, headers=headers).uploader(path)
try:
    cut.upload()
    sys.exit("tuspy: the proxy did not cut")
except Exception as error:  # Whatever the client makes of a cut connection.
    print(f"tuspy: cut ({type(error).__name__})")
resumed = client.TusClient(direct, headers=headers).uploader(
    path, url=cut.url.replace(cutting, direct)
)
kept = resumed.get_offset()
assert 0 < kept < size, kept
resumed.offset = kept
resumed.upload()
assert resumed.get_offset() == size
print(f"tuspy: resumed at byte {kept} of {size}")
