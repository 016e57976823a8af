"""Status words in words, for traces and protocols; what a word means for one command is in `status`.

Source: SSC §5.2, EW §3.3.
"""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[int, tuple[str, str]] = {
    0x9000: ("成功", "done"),
    0x6281: ("返回数据可能有误", "the answer data may be corrupt"),
    0x6282: ("文件已到末尾", "end of file reached"),
    0x6283: ("所选文件无效", "the selected file is invalid"),
    0x6284: ("文件控制信息格式无效", "the file control information has a wrong form"),
    0x6300: ("认证失败", "authentication failed"),
    0x6400: ("状态未改变", "nothing was changed"),
    0x6581: ("存储器故障", "memory failure"),
    0x6700: ("长度错误", "wrong length"),
    0x6882: ("不支持安全报文", "secure messaging is not supported"),
    0x6900: ("命令不能执行", "the command cannot be carried out"),
    0x6901: ("当前状态不接受此命令", "the command is not allowed in this state"),
    0x6981: ("命令与文件结构不符", "the command does not fit the file structure"),
    0x6982: ("不满足安全状态", "security status not satisfied"),
    0x6983: ("认证方法已锁定", "authentication method blocked"),
    0x6984: ("引用数据无效（未取随机数）", "referenced data invalid (no challenge)"),
    0x6985: ("不满足使用条件", "conditions of use not satisfied"),
    0x6986: ("没有当前文件", "no current file"),
    0x6987: ("缺少安全报文数据", "secure messaging data (MAC) missing"),
    0x6988: ("安全报文数据（MAC）错误", "secure messaging data (MAC) wrong"),
    0x6A80: ("数据域参数错误", "wrong data"),
    0x6A81: ("功能不支持或卡已锁定", "function not supported, or application or card blocked"),
    0x6A82: ("文件未找到", "file not found"),
    0x6A83: ("记录未找到", "record not found"),
    0x6A84: ("文件空间不足", "no space in the file"),
    0x6A85: ("长度与TLV结构不符", "length does not fit the TLV structure"),
    0x6A86: ("P1 P2错误", "wrong P1 P2"),
    0x6A88: ("引用的数据或密钥未找到", "referenced data or key not found"),
    0x6B00: ("偏移超出文件", "offset outside the file"),
    0x6D00: ("不支持的指令", "instruction not known"),
    0x6E00: ("不支持的类别", "class not known"),
    0x6F00: ("数据无效", "data invalid"),
    0x9301: ("余额不足（旧版）", "balance too small (old card system)"),
    0x9302: ("MAC错误", "MAC wrong"),
    0x9303: ("应用已永久锁定", "application blocked for good"),
    0x9401: ("金额不足", "amount too large for the balance"),
    0x9402: ("交易计数器已达上限", "transaction counter exhausted"),
    0x9403: ("密钥索引不支持", "key index not supported"),
    0x9406: ("所需MAC不可用", "requested MAC not available"),
    0x9407: ("记录已锁定", "record locked"),
    0x9408: ("已灰锁", "grey-locked"),
}


def describe(sw: int) -> tuple[str, str]:
    """A status word in Chinese and English; those that are not listed are said to be unknown."""
    low = sw & 0xFF
    if sw >> 8 == 0x61:
        return f"还有{low or 256}字节可取", f"{low or 256} more bytes can be fetched"
    if sw >> 8 == 0x6C:
        return f"长度错误，应为{low or 256}", f"wrong length, {low or 256} is right"
    if sw & 0xFFF0 == 0x63C0:
        return f"认证失败，还可试{sw & 0x0F}次", f"authentication failed, {sw & 0x0F} tries left"
    return WORDS.get(sw, ("未知状态字", "unknown status word"))
