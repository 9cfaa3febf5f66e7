//go:build !purego

#include "textflag.h"

// func unpackAVX2(dst *int32, src *byte, groups, step, high int, shuffle *[32]byte, shifts *[8]uint32, mask uint32) uint32
//
// Each turn unpacks 8 values: both halves of Y0 load 16 bytes (the upper ones `high` bytes
// further on), the shuffle moves the bytes of each value into its lane, the lanes are
// shifted right and masked. Y4 collects the largest values.
TEXT ·unpackAVX2(SB), NOSPLIT, $0-68
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         groups+16(FP), CX
	MOVQ         step+24(FP), R8
	MOVQ         high+32(FP), R9
	MOVQ         shuffle+40(FP), R10
	MOVQ         shifts+48(FP), R11
	VMOVDQU      (R10), Y1
	VMOVDQU      (R11), Y2
	MOVL         mask+56(FP), AX
	VMOVD        AX, X3
	VPBROADCASTD X3, Y3
	VPXOR        Y4, Y4, Y4

loop:
	VMOVDQU     (SI), X0
	VINSERTI128 $1, (SI)(R9*1), Y0, Y0
	VPSHUFB     Y1, Y0, Y0
	VPSRLVD     Y2, Y0, Y0
	VPAND       Y3, Y0, Y0
	VMOVDQU     Y0, (DI)
	VPMAXUD     Y0, Y4, Y4
	ADDQ        R8, SI
	ADDQ        $32, DI
	DECQ        CX
	JNZ         loop

	VEXTRACTI128 $1, Y4, X5
	VPMAXUD      X5, X4, X4
	VPSHUFD      $0x4E, X4, X5
	VPMAXUD      X5, X4, X4
	VPSHUFD      $0xB1, X4, X5
	VPMAXUD      X5, X4, X4
	VMOVD        X4, AX
	MOVL         AX, ret+64(FP)
	VZEROUPPER
	RET
