/* Feeds a loopback camera: hands it one JPEG file again and again, as a USB camera would deliver it.
 *
 * feed DEVICE FILE WIDTH HEIGHT FRAMES_PER_SECOND
 */
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "feed DEVICE FILE WIDTH HEIGHT FRAMES_PER_SECOND\n");
		return 2;
	}
	FILE *file = fopen(argv[2], "rb");
	if (!file)
		return fail(argv[2]);
	static unsigned char picture[8 << 20];
	size_t size = fread(picture, 1, sizeof picture, file);
	fclose(file);

	int device = open(argv[1], O_WRONLY);
	if (device < 0)
		return fail(argv[1]);
	struct v4l2_format format;
	memset(&format, 0, sizeof format);
	format.type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
	format.fmt.pix.width = atoi(argv[3]);
	format.fmt.pix.height = atoi(argv[4]);
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_MJPEG;
	format.fmt.pix.field = V4L2_FIELD_NONE;
	format.fmt.pix.sizeimage = sizeof picture;
	if (ioctl(device, VIDIOC_S_FMT, &format) < 0)
		return fail("VIDIOC_S_FMT");

	long pause_ns = 1000000000L / atoi(argv[5]);
	struct timespec pause = { pause_ns / 1000000000L, pause_ns % 1000000000L };
	for (;;) {
		if (write(device, picture, size) < 0)
			return fail("write");
		nanosleep(&pause, NULL);
	}
}
