import asyncio


def numbers(n):
    for i in range(n):
        yield i * i


async def add(n):
    s = 0
    for i in numbers(n):
        s += i
        if i % 1000 == 0:
            await asyncio.sleep(0)
    return s


async def main():
    print(await asyncio.gather(*(add(20_000) for _ in range(4))))
    try:
        await asyncio.wait_for(asyncio.sleep(5), 0.01)
    except asyncio.TimeoutError:
        print("late")


asyncio.run(main())
print(sum(x for x in numbers(100_000)), [x for x in numbers(5)])
