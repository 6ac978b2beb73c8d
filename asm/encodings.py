"""The table of instruction forms, spelled as the Intel manual spells them (SDM volume 2).

A row is `mnemonic operands : encoding`. Operands:
    r8 r16 r32 r64 xmm         a register of that class
    m8 ... m128, m             memory of that size; of any size (m128 too takes any, since
                               packed instructions have only one width)
    rm8 ... rm64, xm32 ...     either of them
    al cl ax eax rax 1         exactly that
    imm8 ... imm64             an integer of that width: signed, or unsigned if the first
                               operand is as wide; sign-extended to that operand if it is wider
    uimm8 uimm16 uimm32        an unsigned integer, zero-extended
    rel32                      a branch target
Encoding: legacy prefixes, REX.W, opcode bytes; then
    /r      ModRM with a register and an rm operand (the one that may be memory, else the second)
    /0../7  ModRM with an opcode extension and an rm operand
    +r      the register's number is added to the opcode
    ib iw id io, cd            the immediate's, the branch displacement's bytes
A name in braces stands for each member of a family in turn; `+cc`, `+8*alu`, `/alu` for
its number. Among the forms that fit, the first is used, so shorter ones stand first.
"""

CONDITIONS = {
    name: code
    for code, names in enumerate(
        "o no b,c,nae ae,nb,nc e,z ne,nz be,na a,nbe "
        "s ns p,pe np,po l,nge ge,nl le,ng g,nle".split()
    )
    for name in names.split(",")
}
FAMILIES = {
    "cc": CONDITIONS,
    "alu": {name: n for n, name in enumerate("add or adc sbb and sub xor cmp".split())},
    "shift": {"rol": 0, "ror": 1, "shl": 4, "shr": 5, "sar": 7},
    "bit": {"bt": 4, "bts": 5, "btr": 6, "btc": 7},
    "unary": {"not": 2, "neg": 3, "mul": 4, "imul": 5, "div": 6, "idiv": 7},
}

TABLE = """
mov rm8, r8             : 88 /r
mov rm16, r16           : 66 89 /r
mov rm32, r32           : 89 /r
mov rm64, r64           : REX.W 89 /r
mov r8, m8              : 8A /r
mov r16, m16            : 66 8B /r
mov r32, m32            : 8B /r
mov r64, m64            : REX.W 8B /r
mov r8, imm8            : B0+r ib
mov r16, imm16          : 66 B8+r iw
mov r32, imm32          : B8+r id
mov r64, uimm32         : B8+r id
mov m8, imm8            : C6 /0 ib
mov m16, imm16          : 66 C7 /0 iw
mov m32, imm32          : C7 /0 id
mov rm64, imm32         : REX.W C7 /0 id
mov r64, imm64          : REX.W B8+r io
movabs r64, imm64       : REX.W B8+r io

movzx r16, rm8          : 66 0F B6 /r
movzx r32, rm8          : 0F B6 /r
movzx r64, rm8          : REX.W 0F B6 /r
movzx r32, rm16         : 0F B7 /r
movzx r64, rm16         : REX.W 0F B7 /r
movsx r16, rm8          : 66 0F BE /r
movsx r32, rm8          : 0F BE /r
movsx r64, rm8          : REX.W 0F BE /r
movsx r32, rm16         : 0F BF /r
movsx r64, rm16         : REX.W 0F BF /r
movsxd r64, rm32        : REX.W 63 /r
lea r32, m              : 8D /r
lea r64, m              : REX.W 8D /r

{alu} rm8, r8           : 00+8*alu /r
{alu} rm16, r16         : 66 01+8*alu /r
{alu} rm32, r32         : 01+8*alu /r
{alu} rm64, r64         : REX.W 01+8*alu /r
{alu} r8, m8            : 02+8*alu /r
{alu} r16, m16          : 66 03+8*alu /r
{alu} r32, m32          : 03+8*alu /r
{alu} r64, m64          : REX.W 03+8*alu /r
{alu} al, imm8          : 04+8*alu ib
{alu} rm8, imm8         : 80 /alu ib
{alu} rm16, imm8        : 66 83 /alu ib
{alu} rm32, imm8        : 83 /alu ib
{alu} rm64, imm8        : REX.W 83 /alu ib
{alu} ax, imm16         : 66 05+8*alu iw
{alu} eax, imm32        : 05+8*alu id
{alu} rax, imm32        : REX.W 05+8*alu id
{alu} rm16, imm16       : 66 81 /alu iw
{alu} rm32, imm32       : 81 /alu id
{alu} rm64, imm32       : REX.W 81 /alu id

test rm8, r8            : 84 /r
test rm16, r16          : 66 85 /r
test rm32, r32          : 85 /r
test rm64, r64          : REX.W 85 /r
test r8, m8             : 84 /r
test r16, m16           : 66 85 /r
test r32, m32           : 85 /r
test r64, m64           : REX.W 85 /r
test al, imm8           : A8 ib
test ax, imm16          : 66 A9 iw
test eax, imm32         : A9 id
test rax, imm32         : REX.W A9 id
test rm8, imm8          : F6 /0 ib
test rm16, imm16        : 66 F7 /0 iw
test rm32, imm32        : F7 /0 id
test rm64, imm32        : REX.W F7 /0 id

{unary} rm8             : F6 /unary
{unary} rm16            : 66 F7 /unary
{unary} rm32            : F7 /unary
{unary} rm64            : REX.W F7 /unary
imul r16, rm16          : 66 0F AF /r
imul r32, rm32          : 0F AF /r
imul r64, rm64          : REX.W 0F AF /r
imul r16, rm16, imm8    : 66 6B /r ib
imul r32, rm32, imm8    : 6B /r ib
imul r64, rm64, imm8    : REX.W 6B /r ib
imul r16, rm16, imm16   : 66 69 /r iw
imul r32, rm32, imm32   : 69 /r id
imul r64, rm64, imm32   : REX.W 69 /r id
inc rm8                 : FE /0
inc rm16                : 66 FF /0
inc rm32                : FF /0
inc rm64                : REX.W FF /0
dec rm8                 : FE /1
dec rm16                : 66 FF /1
dec rm32                : FF /1
dec rm64                : REX.W FF /1

{shift} rm8, 1          : D0 /shift
{shift} rm16, 1         : 66 D1 /shift
{shift} rm32, 1         : D1 /shift
{shift} rm64, 1         : REX.W D1 /shift
{shift} rm8, uimm8      : C0 /shift ib
{shift} rm16, uimm8     : 66 C1 /shift ib
{shift} rm32, uimm8     : C1 /shift ib
{shift} rm64, uimm8     : REX.W C1 /shift ib
{shift} rm8, cl         : D2 /shift
{shift} rm16, cl        : 66 D3 /shift
{shift} rm32, cl        : D3 /shift
{shift} rm64, cl        : REX.W D3 /shift
shld rm16, r16, uimm8   : 66 0F A4 /r ib
shld rm32, r32, uimm8   : 0F A4 /r ib
shld rm64, r64, uimm8   : REX.W 0F A4 /r ib
shld rm16, r16, cl      : 66 0F A5 /r
shld rm32, r32, cl      : 0F A5 /r
shld rm64, r64, cl      : REX.W 0F A5 /r
shrd rm16, r16, uimm8   : 66 0F AC /r ib
shrd rm32, r32, uimm8   : 0F AC /r ib
shrd rm64, r64, uimm8   : REX.W 0F AC /r ib
shrd rm16, r16, cl      : 66 0F AD /r
shrd rm32, r32, cl      : 0F AD /r
shrd rm64, r64, cl      : REX.W 0F AD /r

{bit} rm16, r16         : 66 0F 83+8*bit /r
{bit} rm32, r32         : 0F 83+8*bit /r
{bit} rm64, r64         : REX.W 0F 83+8*bit /r
{bit} rm16, uimm8       : 66 0F BA /bit ib
{bit} rm32, uimm8       : 0F BA /bit ib
{bit} rm64, uimm8       : REX.W 0F BA /bit ib
bsf r16, rm16           : 66 0F BC /r
bsf r32, rm32           : 0F BC /r
bsf r64, rm64           : REX.W 0F BC /r
bsr r16, rm16           : 66 0F BD /r
bsr r32, rm32           : 0F BD /r
bsr r64, rm64           : REX.W 0F BD /r
popcnt r16, rm16        : 66 F3 0F B8 /r
popcnt r32, rm32        : F3 0F B8 /r
popcnt r64, rm64        : F3 REX.W 0F B8 /r
tzcnt r16, rm16         : 66 F3 0F BC /r
tzcnt r32, rm32         : F3 0F BC /r
tzcnt r64, rm64         : F3 REX.W 0F BC /r
lzcnt r16, rm16         : 66 F3 0F BD /r
lzcnt r32, rm32         : F3 0F BD /r
lzcnt r64, rm64         : F3 REX.W 0F BD /r
bswap r32               : 0F C8+r
bswap r64               : REX.W 0F C8+r

cbw                     : 66 98
cwde                    : 98
cdqe                    : REX.W 98
cwd                     : 66 99
cdq                     : 99
cqo                     : REX.W 99
xchg rm8, r8            : 86 /r
xchg rm16, r16          : 66 87 /r
xchg rm32, r32          : 87 /r
xchg rm64, r64          : REX.W 87 /r
xchg r8, m8             : 86 /r
xchg r16, m16           : 66 87 /r
xchg r32, m32           : 87 /r
xchg r64, m64           : REX.W 87 /r
push r64                : 50+r
push m64                : FF /6
push imm8               : 6A ib
push imm32              : 68 id
pop r64                 : 58+r
pop m64                 : 8F /0

jmp rel32               : E9 cd
jmp rm64                : FF /4
call rel32              : E8 cd
call rm64               : FF /2
ret                     : C3
ret uimm16              : C2 iw
j{cc} rel32             : 0F 80+cc cd
set{cc} rm8             : 0F 90+cc /0
cmov{cc} r16, rm16      : 66 0F 40+cc /r
cmov{cc} r32, rm32      : 0F 40+cc /r
cmov{cc} r64, rm64      : REX.W 0F 40+cc /r

nop                     : 90
nop rm16                : 66 0F 1F /0
nop rm32                : 0F 1F /0
nop rm64                : REX.W 0F 1F /0
int3                    : CC
ud2                     : 0F 0B
pause                   : F3 90
endbr64                 : F3 0F 1E FA
cpuid                   : 0F A2
rdtsc                   : 0F 31
mfence                  : 0F AE F0
cld                     : FC
std                     : FD
clc                     : F8
stc                     : F9
rep_movsb               : F3 A4
rep_movsq               : F3 REX.W A5
rep_stosb               : F3 AA
rep_stosq               : F3 REX.W AB

movsd xmm, xm64         : F2 0F 10 /r
movsd m64, xmm          : F2 0F 11 /r
movss xmm, xm32         : F3 0F 10 /r
movss m32, xmm          : F3 0F 11 /r
movaps xmm, xm128       : 0F 28 /r
movaps m128, xmm        : 0F 29 /r
movups xmm, xm128       : 0F 10 /r
movups m128, xmm        : 0F 11 /r
movapd xmm, xm128       : 66 0F 28 /r
movapd m128, xmm        : 66 0F 29 /r
movupd xmm, xm128       : 66 0F 10 /r
movupd m128, xmm        : 66 0F 11 /r
movdqa xmm, xm128       : 66 0F 6F /r
movdqa m128, xmm        : 66 0F 7F /r
movdqu xmm, xm128       : F3 0F 6F /r
movdqu m128, xmm        : F3 0F 7F /r
movd xmm, rm32          : 66 0F 6E /r
movd rm32, xmm          : 66 0F 7E /r
movq xmm, xm64          : F3 0F 7E /r
movq m64, xmm           : 66 0F D6 /r
movq xmm, r64           : 66 REX.W 0F 6E /r
movq rm64, xmm          : 66 REX.W 0F 7E /r

addsd xmm, xm64         : F2 0F 58 /r
mulsd xmm, xm64         : F2 0F 59 /r
subsd xmm, xm64         : F2 0F 5C /r
minsd xmm, xm64         : F2 0F 5D /r
divsd xmm, xm64         : F2 0F 5E /r
maxsd xmm, xm64         : F2 0F 5F /r
sqrtsd xmm, xm64        : F2 0F 51 /r
cmpsd xmm, xm64, uimm8  : F2 0F C2 /r ib
roundsd xmm, xm64, uimm8 : 66 0F 3A 0B /r ib
ucomisd xmm, xm64       : 66 0F 2E /r
comisd xmm, xm64        : 66 0F 2F /r
cvtsi2sd xmm, rm32      : F2 0F 2A /r
cvtsi2sd xmm, rm64      : F2 REX.W 0F 2A /r
cvttsd2si r32, xm64     : F2 0F 2C /r
cvttsd2si r64, xm64     : F2 REX.W 0F 2C /r
cvtsd2si r32, xm64      : F2 0F 2D /r
cvtsd2si r64, xm64      : F2 REX.W 0F 2D /r
cvtss2sd xmm, xm32      : F3 0F 5A /r
cvtsd2ss xmm, xm64      : F2 0F 5A /r

andpd xmm, xm128        : 66 0F 54 /r
andnpd xmm, xm128       : 66 0F 55 /r
orpd xmm, xm128         : 66 0F 56 /r
xorpd xmm, xm128        : 66 0F 57 /r
andps xmm, xm128        : 0F 54 /r
xorps xmm, xm128        : 0F 57 /r
unpcklpd xmm, xm128     : 66 0F 14 /r
unpckhpd xmm, xm128     : 66 0F 15 /r
pand xmm, xm128         : 66 0F DB /r
pandn xmm, xm128        : 66 0F DF /r
por xmm, xm128          : 66 0F EB /r
pxor xmm, xm128         : 66 0F EF /r
pcmpeqd xmm, xm128      : 66 0F 76 /r
psrlq xmm, uimm8        : 66 0F 73 /2 ib
psllq xmm, uimm8        : 66 0F 73 /6 ib
movmskpd r32, xmm       : 66 0F 50 /r
movmskpd r64, xmm       : 66 0F 50 /r
"""


def _index(table):
    """{mnemonic: [(row, family, the member's number in it), ...]}; rows are parsed when used."""
    rows = {}
    for row in table.splitlines():
        mnemonic = row.partition(" ")[0]
        if "{" not in mnemonic:
            if mnemonic:
                rows.setdefault(mnemonic, []).append((row, None, 0))
            continue
        before, family = mnemonic[:-1].split("{")
        for member, number in FAMILIES[family].items():
            rows.setdefault(before + member, []).append((row, family, number))
    return rows


ROWS = _index(TABLE)
BRANCHES = frozenset(["jmp", "call", *("j" + condition for condition in CONDITIONS)])
