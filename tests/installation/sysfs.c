/* Preloaded below udevadm, so that it takes a folder of made-up devices for sysfs, and for nothing else.
 *
 * udevadm looks at the type of the file system before it believes in a device; the tests have a tmpfs mounted at /sys.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>

int fstatfs64(int descriptor, struct statfs64 *found)
{
    int (*original)(int, struct statfs64 *) = (int (*)(int, struct statfs64 *))dlsym(RTLD_NEXT, "fstatfs64");
    if (original == NULL)
        abort();
    int result = original(descriptor, found);
    if (result == 0 && found->f_type == TMPFS_MAGIC)
        found->f_type = SYSFS_MAGIC;
    return result;
}
