#!/usr/bin/env python3
"""Memory of `adbench eval` on generated maps.

    bench/metrics_memory.py [--bin build/release/bin] [--images 500] [--categories 1,30] [--format npy]

Writes float32 maps of 256 x 256 and masks of CATEGORIES categories with IMAGES test images each (half of them
anomalous) below TMPDIR, scores them, and prints the peak of the process's memory by kind: RssAnon is what the program
asked for, RssFile mapped files in the page cache, which the system takes back when it needs them. The data are removed.
"""
import argparse
import array
import random
import struct
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

SIDE = 256
PIXELS = SIDE * SIDE


def png(rows):
    """A grey 8-bit image from rows of bytes."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    header = struct.pack('>IIBBBBB', len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b''.join(b'\0' + row for row in rows), 1)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', data) + chunk(b'IEND', b'')


def npy(values):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({SIDE}, {SIDE}), }}"
    text += ' ' * (127 - 10 - len(text)) + '\n'
    return b'\x93NUMPY\1\0' + struct.pack('<H', len(text)) + text.encode() + values


def safetensors(values):
    text = f'{{"map":{{"dtype":"F32","shape":[{SIDE},{SIDE}],"data_offsets":[0,{len(values)}]}}}}'
    text += ' ' * (-len(text) % 8)
    return struct.pack('<Q', len(text)) + text.encode() + values


def write_category(root, name, images, encode, extension, pool, rng):
    image = png([bytes(1)])
    for i in range(images):
        defect = 'broken' if i % 2 else 'good'
        start = rng.randrange(len(pool) - PIXELS)
        values = pool[start:start + PIXELS]
        if defect == 'broken':
            top, left, side = rng.randrange(SIDE - 60), rng.randrange(SIDE - 60), rng.randrange(20, 60)
            rows = [bytearray(SIDE) for _ in range(SIDE)]
            for y in range(top, top + side):
                rows[y][left:left + side] = b'\xff' * side
                for x in range(left, left + side, 2):
                    values[y * SIDE + x] += 1.5
            write(root / 'data' / name / 'ground_truth' / defect / f'{i:05}_mask.png', png(rows))
        write(root / 'data' / name / 'test' / defect / f'{i:05}.png', image)
        write(root / 'maps' / name / 'test' / defect / f'{i:05}.{extension}', encode(values.tobytes()))


def write(file, data):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def measure(command):
    """Wall time in seconds, and the peaks in MiB by the kernel's names."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peaks = {'RssAnon': 0, 'RssFile': 0, 'VmHWM': 0}
    while process.poll() is None:
        try:
            for line in Path(f'/proc/{process.pid}/status').read_text().splitlines():
                key, _, value = line.partition(':')
                if key in peaks:
                    peaks[key] = max(peaks[key], int(value.split()[0]) / 1024)
        except (FileNotFoundError, ProcessLookupError):
            break
        time.sleep(0.005)
    if process.wait() != 0:
        raise SystemExit(f'adbench ended with {process.returncode}')
    return time.monotonic() - started, peaks


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--bin', default='build/release/bin')
    parser.add_argument('--images', type=int, default=500)
    parser.add_argument('--categories', default='1,30')
    parser.add_argument('--format', choices=['npy', 'safetensors'], default='npy')
    options = parser.parse_args()
    counts = [int(text) for text in options.categories.split(',')]
    encode = {'npy': npy, 'safetensors': safetensors}[options.format]
    rng = random.Random(1)
    pool = array.array('f', (rng.gauss(0, 1) for _ in range(1 << 20)))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = [f'category_{k:02}' for k in range(max(counts))]
        for name in names:
            write_category(root, name, options.images, encode, options.format, pool, rng)
        print(f'{"categories":>10} {"maps":>7} {"maps MiB":>9} {"seconds":>8} '
              f'{"RssAnon":>8} {"RssFile":>8} {"peak RSS":>9}  (MiB)')
        for count in counts:
            seconds, peaks = measure([f'{options.bin}/adbench', 'eval', '--maps', f'{root}/maps', '--ground-truth',
                                      f'{root}/data', '--categories', ','.join(names[:count]), '--json'])
            maps = count * options.images
            print(f'{count:>10} {maps:>7} {maps * PIXELS * 4 / 2**20:>9.0f} {seconds:>8.1f} '
                  f'{peaks["RssAnon"]:>8.0f} {peaks["RssFile"]:>8.0f} {peaks["VmHWM"]:>9.0f}')


if __name__ == '__main__':
    main()
